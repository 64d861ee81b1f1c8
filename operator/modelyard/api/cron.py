"""What a CronJob of Kubernetes takes as its five fields, as one regular expression: its own refusal would come late."""

_MINUTE, _HOUR, _DAY = "[0-5]?[0-9]", "([01]?[0-9]|2[0-3])", "(0?[1-9]|[12][0-9]|3[01])"
_MONTH, _WEEKDAY = "(0?[1-9]|1[0-2]|[A-Za-z]{3})", "([0-6]|[A-Za-z]{3})"


def _field(one: str) -> str:
    item = f"([*?]|{one}(-{one})?)(/[1-9][0-9]?)?"
    return f"{item}(,{item})*"


CRON = "^ *" + " +".join(_field(one) for one in (_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY)) + " *$"

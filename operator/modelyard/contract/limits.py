"""How big and of which form a number, digest or time may be: in pods' results, and so in every status made of them."""

from typing import Annotated

from pydantic import Field

MAX_COUNT = 2**53 - 1  # JSON's numbers are exact so far

Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Signed = Annotated[int, Field(ge=-MAX_COUNT, le=MAX_COUNT)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Digest = Annotated[str, Field(max_length=71, pattern=r"^sha256:[0-9a-f]{64}$")]
_DATE = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?"
# RFC 3339. Not `format: date-time`: the API server lets a list pass for a string that has a format.
Time = Annotated[str, Field(max_length=40, pattern=rf"^{_DATE}[Tt]{_CLOCK}([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$")]

"""Takes secrets out of words that others wrote, before they reach a status, an event or a log.

Own patterns: libraries for this scan files and bring dependencies, and every pod imports the contract. Rather a word
too many is hidden than a secret shown; digests, UUIDs and names of objects stay, because people need them.
"""

import math
import re
from collections import Counter
from collections.abc import Callable

HIDDEN = "***"
LONGEST = 16384  # characters that are looked at; the rest is dropped

_WORD = (
    "password|passwd|passphrase|pwd|secret|token(?![a-z])|credential|authorization|signature|"
    "(?:api|auth|access|account|private|session|signing|encryption)[ _-]?key"
)
_VALUE = r"""(?:\\*["'][^"']*["']?|[^\s,;&)}\]"']+)"""


def _lowered(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word.lower() for word in words)


def _pattern(text: str, flags: int = re.IGNORECASE) -> re.Pattern[str]:
    return re.compile(text, flags)


_ROOTS = ("passw", "passphrase", "pwd", "secret", "token", "credential", "authorization", "signature", "key")
_CLOUD = ("AKIA", "ASIA", "AROA", "AIDA", "AGPA", "ANPA", "ANVA", "ACCA", "ABIA")
_TOKENS = (
    *("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "hf_", "sk-", "npm_", "pypi-"),
    *("dckr_pat_", "AIza"),
)

# Each with words of which one must be there: most texts have none, and searching for them costs next to nothing.
_NAMED: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...] = (
    # A block that was cut off has no end.
    (("-----",), _pattern(r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)", re.DOTALL), HIDDEN),
    (("://",), _pattern(r"\b([a-z][a-z0-9+.-]{0,20}://)[^\s/'\"]+@"), rf"\1{HIDDEN}@"),
    (
        ("bearer", "basic", "aws4-hmac"),
        _pattern(r"\b((?i:bearer|basic|aws4-hmac-sha256))\s+(?!realm=)(?=\S*[A-Z0-9._~+/=-])\S{6,}", 0),
        rf"\1 {HIDDEN}",
    ),
    (
        ("=",),
        _pattern(r"([?&;](?:x-(?:amz|goog)-[a-z-]+|awsaccesskeyid|sig|se|sp|sv|key|code)=)[^&\s'\"]+"),
        rf"\1{HIDDEN}",
    ),
    (_ROOTS, _pattern(rf"""((?:{_WORD})[\w.-]{{0,40}}\\?["']?\s*(?:=>|:=|=)\s*){_VALUE}"""), rf"\1{HIDDEN}"),
    (_ROOTS, _pattern(rf"""((?:{_WORD})s?\d*\\?["']?\s*:(?!//)\s*){_VALUE}"""), rf"\1{HIDDEN}"),
    (("--",), _pattern(rf"(--[\w-]{{0,40}}(?:{_WORD})[\w-]{{0,40}}\s+)[^\s-]\S*"), rf"\1{HIDDEN}"),
    (_lowered(_CLOUD), _pattern(rf"\b(?:{'|'.join(_CLOUD)})[A-Z0-9]{{12,}}\b", 0), HIDDEN),
    (_lowered(_TOKENS), _pattern(rf"\b(?:{'|'.join(_TOKENS)})[\w-]{{16,}}", 0), HIDDEN),
    (("eyj",), _pattern(r"\beyJ[\w-]{5,}\.[\w-]*(?:\.[\w-]*)?", 0), HIDDEN),  # a JWT, perhaps cut off
)

# Of the store's layout and of images: public, and what people compare.
_DIGEST = r"(?:sha256|sha512|sha1|md5)(?::|-|/[0-9a-f]{2}/)[0-9a-f]{8,128}(?![0-9A-Za-z])"
_UUID = r"(?<![0-9A-Za-z])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9A-Za-z])"
_SHORTEST_RUN = 24
_RUNS = "[A-Za-z0-9]{32,}|[A-Za-z0-9+/]{39,}={0,2}|[A-Za-z0-9+_-]{24,}={0,2}"
_LONG = re.compile(f"({_DIGEST}|{_UUID})|{_RUNS}")
_RANDOM = 3.8  # bits a character; words and names are below it or have no capitals


def redacted(text: str) -> str:
    """The text without userinfo of URLs, signatures of queries, values of secret names, tokens, keys and PEM blocks."""
    text = text[:LONGEST]
    lowered = text.lower()
    for words, pattern, instead in _NAMED:
        if any(word in lowered for word in words):
            text = pattern.sub(instead, text)
    longest = max(map(len, text.split()), default=0)
    return _LONG.sub(_if_random, text) if longest >= _SHORTEST_RUN else text


def _if_random(found: re.Match[str]) -> str:
    if found[1]:
        return found[0]
    word = found[0]
    digits, upper, lower = (sum(test(c) for c in word) for test in _CLASSES)
    unbroken = word.isalnum() and len(word) >= 32 and digits >= 4 and upper + lower >= 4
    mixed = bool(digits and upper and lower) and _entropy(word) >= _RANDOM
    return HIDDEN if unbroken or mixed else word


_CLASSES: tuple[Callable[[str], bool], ...] = (str.isdigit, str.isupper, str.islower)


def _entropy(word: str) -> float:
    """Shannon's, in bits a character."""
    counts = Counter(word).values()
    return -sum(n / len(word) * math.log2(n / len(word)) for n in counts)

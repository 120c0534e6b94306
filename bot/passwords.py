"""Passwords are kept as scrypt hashes (RFC 7914) that say how they were made:
`scrypt:<log2 N>:<r>:<p>:<salt>:<hash>`, the last two in URL-safe base64.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import unicodedata
from dataclasses import dataclass
from typing import Self

LEAST = 8  # characters of a password
# As much work as OWASP's password storage cheat sheet asks for; 32 MiB, a quarter of a second.
COST = (15, 8, 3)

_FORM = re.compile(r"scrypt:(\d{1,2}):(\d{1,2}):(\d{1,2}):([\w-]{22}):([\w-]{43})", re.ASCII)
_MOST_MEMORY = 512 * 2**20  # bytes


@dataclass(frozen=True, slots=True)
class PasswordHash:
    """`cost` is log2 N, r, p."""

    cost: tuple[int, int, int]
    salt: bytes
    digest: bytes

    @classmethod
    def of(cls, password: str, cost: tuple[int, int, int] = COST) -> Self:
        """With a fresh salt."""
        salt = secrets.token_bytes(16)
        return cls(cost, salt, _scrypt(password, salt, cost))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError for what is no hash."""
        match = _FORM.fullmatch(text)
        if match is None:
            raise ValueError("this is no password hash")
        n, r, p = (int(number) for number in match.groups()[:3])
        try:
            salt, digest = (base64.urlsafe_b64decode(f"{b}==") for b in match.groups()[3:])
        except binascii.Error:
            raise ValueError("this is no password hash") from None
        if not (n and r and p) or _memory((n, r, p)) > _MOST_MEMORY:
            raise ValueError("this password hash takes no work, or too much memory")
        return cls((n, r, p), salt, digest)

    def __str__(self) -> str:
        numbers = ":".join(map(str, self.cost))
        salt, digest = (
            base64.urlsafe_b64encode(data).decode().rstrip("=") for data in (self.salt, self.digest)
        )
        return f"scrypt:{numbers}:{salt}:{digest}"

    def is_of(self, password: str) -> bool:
        """Takes its time: not for the event loop."""
        return hmac.compare_digest(_scrypt(password, self.salt, self.cost), self.digest)


def _scrypt(password: str, salt: bytes, cost: tuple[int, int, int]) -> bytes:
    n, r, p = cost
    # what two keyboards write in two ways is one password; and a form's body may hold anything
    data = unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
    maxmem = _memory(cost) + 2**20
    return hashlib.scrypt(data, salt=salt, n=2**n, r=r, p=p, maxmem=maxmem, dklen=32)


def _memory(cost: tuple[int, int, int]) -> int:
    n, r, p = cost
    return 128 * r * (2**n + p + 2)

"""Hashes of the admin password: Argon2id (RFC 9106), and scrypt (RFC 7914) for older settings.

A scrypt hash is `scrypt:<log2 N>:<r>:<p>:<salt>:<hash>`, the last two in URL-safe base64.
"""

import base64
import binascii
import hashlib
import hmac
import re
import unicodedata
from dataclasses import dataclass
from typing import Self

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 8  # characters of a password
MAX_MEMORY = 512 * 2**20  # bytes that checking a password may take

_HASHER = PasswordHasher()
_SCRYPT = re.compile(r"scrypt:(\d{1,2}):(\d{1,2}):(\d{1,2}):([\w-]{22}):([\w-]{43})", re.ASCII)


@dataclass(frozen=True, slots=True)
class PasswordHash:
    """`text` is the hash as it is written in the settings."""

    text: str

    @classmethod
    def of(cls, password: str, hasher: PasswordHasher = _HASHER) -> Self:
        """An Argon2id hash with a random salt."""
        return cls(hasher.hash(_normalized(password)))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError for text that is not a hash, or one that takes too much memory."""
        if text.startswith("scrypt:"):
            _parse_scrypt(text)
            return cls(text)
        try:
            memory = 1024 * extract_parameters(text).memory_cost
        except (InvalidHashError, ValueError):
            raise ValueError("this is not a password hash") from None
        if not text.startswith("$argon2id$") or not text.isprintable():
            raise ValueError("this is not a password hash")
        if memory > MAX_MEMORY:
            raise ValueError("checking this password hash would take too much memory")
        return cls(text)

    def __str__(self) -> str:
        return self.text

    def matches(self, password: str) -> bool:
        """Whether it is this password. Blocks for a fraction of a second: run it on a thread."""
        if self.text.startswith("scrypt:"):
            cost, salt, digest = _parse_scrypt(self.text)
            return hmac.compare_digest(_scrypt(password, salt, cost), digest)
        try:
            return _HASHER.verify(self.text, _normalized(password))
        except (VerificationError, InvalidHashError):
            return False


def _normalized(password: str) -> bytes:
    """NFC, so that both encodings of an accented letter match; forms may hold lone surrogates."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _parse_scrypt(text: str) -> tuple[tuple[int, int, int], bytes, bytes]:
    """Cost (log2 N, r, p), salt and digest. Raises ValueError."""
    match = _SCRYPT.fullmatch(text)
    if match is None:
        raise ValueError("this is not a password hash")
    n, r, p = (int(number) for number in match.groups()[:3])
    try:
        salt, digest = (base64.urlsafe_b64decode(f"{b}==") for b in match.groups()[3:])
    except binascii.Error:
        raise ValueError("this is not a password hash") from None
    if not (n and r and p) or _scrypt_memory((n, r, p)) > MAX_MEMORY:
        raise ValueError("this password hash has no cost, or would take too much memory")
    return (n, r, p), salt, digest


def _scrypt(password: str, salt: bytes, cost: tuple[int, int, int]) -> bytes:
    n, r, p = cost
    maxmem = _scrypt_memory(cost) + 2**20
    data = _normalized(password)
    return hashlib.scrypt(data, salt=salt, n=2**n, r=r, p=p, maxmem=maxmem, dklen=32)


def _scrypt_memory(cost: tuple[int, int, int]) -> int:
    n, r, p = cost
    return 128 * r * ((1 << n) + p + 2)

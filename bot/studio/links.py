"""Links browsers with members of Discord, by one-time codes."""

import hashlib
import re
import secrets
from datetime import UTC, datetime, timedelta

from bot.errors import BadPrompt, TooSoon
from db.links import LinkRepository
from db.records import Owner

CODE_MINUTES = 10
CODE_LENGTH = 10
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base32: 50 bits for a code
WAIT = timedelta(seconds=10)  # between two codes of a member

_SIMILAR = str.maketrans("OIL", "011")


class LinkService:
    """Only the hashes of codes are stored."""

    def __init__(self, links: LinkRepository) -> None:
        self._links = links
        self.unlink = links.unlink
        self.member_of = links.member_of
        self.count_browsers = links.count_browsers

    async def create_code(self, member: Owner) -> tuple[str, datetime]:
        """A new code such as "7K3QF-0ZR8M", in place of the member's earlier one, and the time
        until which it can be used. Raises TooSoon.
        """
        code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
        now = datetime.now(UTC)
        earlier = await self._links.save_code(member, _digest(code), now - WAIT)
        if earlier is not None:
            raise TooSoon("link-too-soon", retry_at=earlier + WAIT)
        half = CODE_LENGTH // 2
        return f"{code[:half]}-{code[half:]}", now + timedelta(minutes=CODE_MINUTES)

    async def link(self, code: str, browser: Owner) -> Owner:
        """Links the browser with the member who got the code, which cannot be used again; returns
        the member. Raises BadPrompt.
        """
        not_before = datetime.now(UTC) - timedelta(minutes=CODE_MINUTES)
        written = re.sub(r"[\s-]", "", code.upper()).translate(_SIMILAR)
        member = await self._links.use_code(_digest(written), not_before, browser)
        if member is None:
            raise BadPrompt("link-code", minutes=CODE_MINUTES)
        return member


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()

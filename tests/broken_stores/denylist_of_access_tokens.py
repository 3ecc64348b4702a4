"""Denials are kept for 15 minutes, the life of an access token."""

from backends.memory import MemoryStore

CAUGHT_BY = 23


ACCESS_TOKEN_MS = 15 * 60_000


class DenylistOfAccessTokens(MemoryStore):
    def sweep(self, now_ms: int, limit: int) -> int:
        for digest, until_ms in list(self._denied_until_ms.items()):
            self._denied_until_ms[digest] = min(until_ms, now_ms + ACCESS_TOKEN_MS)
        return super().sweep(now_ms, limit)


make = DenylistOfAccessTokens

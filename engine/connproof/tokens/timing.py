"""The numbers of the token lifecycle, and the times that follow from them. Pure; everything in seconds.

Exchanges are long and leases short: an exchange that is given up has perhaps spent the refresh token, and a
lease that outlives its holder keeps the account waiting, perhaps beyond the provider's grace.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

__all__ = ["Timing"]


@dataclass(frozen=True, slots=True)
class Timing:
    """How long what may take.

    `lease_s` is renewed every third of it. `exchange_s` is for one answer of the token endpoint, `caller_s` for a
    caller that has no token to go on with. `margin_s` is how long before its end a token is refreshed, at most: a short
    lifetime has a shorter margin. `poll_s` is between two looks at an account that another worker refreshes, and
    the shortest back-off. `clock_error_s` is by how much two readings of the store's clock may differ.
    `look_s` is how long a worker goes on with a token without a look at the store. `forced_s` is between two refreshes
    of an account that a worker makes because a live token was refused. `attention` is after how many answers that
    nobody understands somebody must look. `at_once` is how many exchanges a worker has under way.
    """

    lease_s: float = 10.0
    exchange_s: float = 120.0
    caller_s: float = 15.0
    margin_s: float = 300.0
    back_off_s: float = 2.0
    back_off_factor: float = 2.0
    back_off_most_s: float = 900.0
    wait_most_s: float = 86_400.0  # a Retry-After beyond a day is a mistake, or might as well be asked about daily
    poll_s: float = 0.25
    clock_error_s: float = 1.0
    look_s: float = 60.0
    forced_s: float = 60.0
    attention: int = 5
    at_once: int = 32

    @property
    def beat_s(self) -> float:
        return self.lease_s / 3

    def margin(self, account: str, lifetime_s: float | None) -> float:
        """How long before its end a token is refreshed: of a share between half and all of the most it may be.

        The most is `margin_s`, or a fifth of the lifetime. The share is the account's own and always the same, so that
        accounts that were connected together are not refreshed together.
        """
        most = self.margin_s if lifetime_s is None else min(self.margin_s, lifetime_s / 5)
        digest = hashlib.blake2b(account.encode(), digest_size=8).digest()
        return most * (1 + int.from_bytes(digest) / 2**64) / 2

    def back_off(self, failures: int, asked_s: float | None, jitter: float) -> float:
        """How long to leave an account alone after so many failures before this one.

        `asked_s` is what the provider asks for, None where it does not; `jitter` is from [0, 1).
        """
        # Beyond 2 ** 32 every base is above every most; a float would overflow where nobody looks for years.
        most = min(self.back_off_most_s, self.back_off_s * self.back_off_factor ** min(failures, 32))
        return max(self.poll_s, most * jitter, min(asked_s or 0.0, self.wait_most_s))

    def is_long(self, grace_s: float) -> bool:
        """Whether a grace period leaves room for a crash, the end of its lease, and another worker's look."""
        return self.lease_s + self.poll_s + self.clock_error_s < grace_s / 2

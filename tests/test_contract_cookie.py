"""HttpOnly cookie, in each of its profiles, is held to the contract."""

from tests.contract import StoreContract


class TestCookie(StoreContract):
    subject = "cookie:signed"

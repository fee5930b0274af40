"""Why the console does not answer with what was asked for; the application turns each into its page."""

from __future__ import annotations


class ConsoleRefusal(Exception):
    """`status` is HTTP's."""

    status = 400


class SignInNeeded(ConsoleRefusal):
    """Nobody is signed in, or the session ran out."""

    status = 401


class NotAllowed(ConsoleRefusal):
    """The role does not cover it."""

    status = 403


class Forged(ConsoleRefusal):
    """A change that does not prove that it comes from our own page."""

    status = 403


class NotHere(ConsoleRefusal):
    """There is no such thing, or it belongs to an agency that the visitor may not see: the answer is the same."""

    status = 404

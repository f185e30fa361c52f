"""What a log may say of an error."""

from traceback import format_exception


def stack_of(error: BaseException) -> str:
    """Where an error came from, for a log's `stack`: the lines of code, and no variable's value.

    Given the error itself (`exc_info`), structlog writes down the local variables of every frame as
    it comes, or as an application has set it up; there may be keys and passwords among them.
    """
    return "".join(format_exception(error)).rstrip()

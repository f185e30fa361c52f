"""What a database is called in messages: its URL, without what is for the server alone."""

from sqlalchemy import URL


def name_of(url: URL) -> str:
    """Without passwords, those among the options too (`?password=`, `?sslpassword=`)."""
    secrets = [option for option in url.query if "password" in option]
    return url.difference_update_query(secrets).render_as_string(hide_password=True)


def conninfo_of(url: URL) -> str:
    """A PostgreSQL URL for its driver, with its password: for no message."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def shown(url: str) -> str:
    """A text that names no store, without what may be a password."""
    if "@" not in url and "?" not in url:
        return url
    scheme, found, rest = url.partition("://")
    return f"{scheme}://***{rest.rpartition('@')[2].partition('?')[0]}" if found else "***"

"""Formats numbers and times in the templates of the admin pages."""

from datetime import datetime


def milliseconds(seconds: float | None) -> str:
    if seconds is None:  # no request yet
        return "–"
    return f"{1000 * seconds:,.{0 if seconds >= 0.01 else 1}f} ms"


def megabytes(size: float) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:,.0f} MiB"


def duration(seconds: float) -> str:
    """3 s, 4 min, 2 h 05 min, 3 days"""
    minutes = int(seconds // 60)
    if minutes < 1:
        return f"{int(seconds)} s"
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours < 48 else f"{hours // 24} days"


def short(value: float | None) -> str:
    """A logged number with three significant digits."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def local_time(seconds: float) -> datetime:
    """Seconds of the epoch in the machine's time zone."""
    return datetime.fromtimestamp(seconds).astimezone()


FILTERS = {
    "milliseconds": milliseconds,
    "megabytes": megabytes,
    "duration": duration,
    "short": short,
    "local_time": local_time,
}

"""Headers that say what a browser may do with our pages: their own scripts and styles, no frame, nothing inline."""

from collections.abc import Mapping

_RULES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}


def security_headers(**other: str) -> Mapping[str, str]:
    """Return the headers of a page; ``other``: rules that differ, such as ``style_src``."""
    rules = _RULES | {name.replace("_", "-"): rule for name, rule in other.items()}
    return {
        "Content-Security-Policy": "; ".join(f"{name} {rule}" for name, rule in rules.items()),
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cross-Origin-Opener-Policy": "same-origin",
    }

"""The runtime in a folder of its own, where an image has Python and nothing of Argosy: what an
image that brings it holds, and how a pod's Python finds it.

    <folder>/lib/argosy     the runtime, on PYTHONPATH
    <folder>/extras         packages that its services need, found after all others
"""

from __future__ import annotations

import os
import sys

FOLDER = "/opt/argosy"
"""Where the image that brings the runtime has it."""
HOME = "/argosy-runtime"
"""Where a pod that it was put into has it."""
LIBRARY, EXTRAS = "lib", "extras"
VARIABLE = "ARGOSY_EXTRAS"
"""The variable that names the folder of the extras."""


def find() -> None:
    """Has Python look for extras last: what the user's image has comes before them."""
    folder = os.environ.get(VARIABLE)
    if folder and folder not in sys.path:
        sys.path.append(folder)

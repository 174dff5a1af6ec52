"""What this app does when something happens in the apps below it. Imported when all apps are there."""

from annotation.upkeep.chunks import PREFIX, put_back_chunks
from voxloop.keeping.registry import Rescue, register

register(Rescue(PREFIX, put_back_chunks))

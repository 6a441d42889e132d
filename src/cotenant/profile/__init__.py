"""What a crew's models cost here: judged, timed, remembered."""

from cotenant.profile.bench import MEASURING
from cotenant.profile.profile import STORE, Profile, profile
from cotenant.profile.progress import SILENT, Progress, Silent
from cotenant.profile.samples import Samples, samples_of

__all__ = ["MEASURING", "SILENT", "STORE", "Profile", "Progress", "Samples", "Silent", "profile", "samples_of"]

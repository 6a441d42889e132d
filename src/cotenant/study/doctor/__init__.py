"""What this machine allows, and what it would gain."""

from cotenant.study.doctor.diagnosis import Diagnosis, diagnose
from cotenant.study.doctor.finding import Finding, Verdict

__all__ = ["Diagnosis", "Finding", "Verdict", "diagnose"]

"""Data quality: Great Expectations suites made from contracts and standards, their rows and their pages."""

from oversight.quality.runner import run_suites
from oversight.quality.suites import ExpectationResult, QualityError, SuiteResult

__all__ = ["ExpectationResult", "QualityError", "SuiteResult", "run_suites"]

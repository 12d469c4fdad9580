"""Data quality: Great Expectations suites made from contracts and standards, their rows and their pages."""

from oversight.quality.model import ExpectationResult, QualityError, SuiteResult
from oversight.quality.runner import run_suites

__all__ = ["ExpectationResult", "QualityError", "SuiteResult", "run_suites"]

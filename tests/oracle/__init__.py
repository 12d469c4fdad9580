"""A second, independent computation of the funding and staffing gaps, and worlds to try it on."""

"""All rows that ever landed are judged together: which unit, which of several reports counts, what cannot be right."""

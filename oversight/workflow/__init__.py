"""What people do with the figures besides looking at them: they hand in, correct and answer."""

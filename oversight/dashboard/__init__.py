"""The dashboard: pages over published editions. It reads editions and presentation, never intake."""

"""What was received, byte for byte, and the proof that nothing kept has changed since."""

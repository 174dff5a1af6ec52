"""What is stored stays whole: damage that was found, scrubbing, repair, and collecting what nobody names."""

"""What a paper tells of a release: data flow, tables, agreement, methods, datasheet. Every count is in its manifest."""

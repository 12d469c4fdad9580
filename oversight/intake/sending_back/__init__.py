"""What a sender is told and given: messages, marked workbooks, templates."""

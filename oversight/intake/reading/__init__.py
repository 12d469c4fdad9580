"""A file's bytes become typed rows: what the file is, where its tables lie, what columns and cells mean."""

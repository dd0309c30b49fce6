"""REST, version 1: the same services and selectors as the pages, one module per stem."""

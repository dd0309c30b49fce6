"""Input checks of the pages, one module per stem."""

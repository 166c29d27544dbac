"""Models: the classes of the user's own (``named``), where they are found (``search``), what names tell (``known``)."""

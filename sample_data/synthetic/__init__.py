"""Parts of the generator of the SYNTHETIC district programme. Run `make_fuzuli.py`; nothing here is imported by geotools."""

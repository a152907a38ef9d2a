"""A package, because a dependency installs one of the same name that would hide a mere folder."""

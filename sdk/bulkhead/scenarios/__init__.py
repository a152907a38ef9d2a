"""Written stories, played on a chain: a language, a player, and the stories that come with it."""

from bulkhead.scenarios.language import Story, StoryError, load, parse, shipped
from bulkhead.scenarios.player import Player, Told, open_stage

__all__ = ["Player", "Story", "StoryError", "Told", "load", "open_stage", "parse", "shipped"]

"""Names of members: which utterance a member is, by the last parts of its name, and what is passed over."""

from __future__ import annotations

from avsieve.errors import AvsieveError
from avsieve.sources.containers import USUAL, ending_of, is_hidden, is_system, stem_of
from avsieve.sources.findings import Finding
from avsieve.sources.layout import Layout
from avsieve.sources.scan import BARE, HIDDEN, SYSTEM, Kind, kinds_in_words
from avsieve.sources.scan_report import count_of
from avsieve.storage.file_names import shown


class Naming:
    """Tells the utterances of members, and gathers what there is to say about their names."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.passed: dict[str, Kind] = {}
        self.shallow = Kind()
        """Clips that lie in fewer folders than the layout has."""
        self.odd = Kind()
        self.twice = Kind()

    def pass_over(self, kind: str, name: str) -> None:
        """Count a member that is no clip."""
        self.passed.setdefault(kind, Kind()).add(name)

    def is_clip(self, name: str) -> bool:
        """Tell by its name whether a member may be a clip; what is none is counted, folders aside."""
        parts = _parts(name)
        if not parts or name.endswith("/"):
            return False
        if any(map(is_system, parts)):
            kind = SYSTEM
        elif any(is_hidden(part) for part in parts if part != "..") or ".." in parts[-self.layout.depth :]:
            kind = HIDDEN
        elif stem_of(parts[-1]) is None:
            kind = ending_of(parts[-1]) or BARE
        else:
            return True
        self.pass_over(kind, name)
        return False

    def utterance_of(self, name: str) -> str | None:
        """Return the id of a member that may be a clip, None for one in too few folders."""
        parts, layout = _parts(name), self.layout
        if len(parts) < layout.depth:
            self.shallow.add(name)
            return None
        names = [*parts[-layout.depth : -1], stem_of(parts[-1]) or ""]
        if layout.changes(names):
            self.odd.add("/".join(names))
        return layout.id_of(names)

    def nothing_in(self, archive: str) -> AvsieveError:
        """Return the error for an archive that has no clip of its own."""
        text = f"source.archive: {archive} holds no clip of its own; expected …/{self.layout.text}.mp4"
        if self.shallow.count:
            depth = self.shallow.example.count("/") + 1
            remedy = "set source.archive.layout: speaker/utterance" if depth == 2 else "pack the speakers' folders too"
            return AvsieveError(f"{text}; it has {shown(self.shallow.example)}: {remedy}")
        lies = kinds_in_words(self.passed)
        return AvsieveError(f"{text}; {f'it holds {lies}; ' if lies else ''}endings are {', '.join(USUAL)}, …")

    def findings(self, key: str) -> list[Finding]:
        """Return what there is to say."""
        found = []
        notable = [kind for name, kind in self.passed.items() if name not in (HIDDEN, SYSTEM)]
        if self.passed:
            first = max(notable or self.passed.values(), key=lambda kind: kind.count).example
            text = f"passed over as no clips: {kinds_in_words(self.passed)}, such as {shown(first)}"
            remedy = f"if they are meant: endings that are taken are {', '.join(USUAL)}, …" if notable else ""
            found.append(Finding("note" if notable else "ok", key, text, remedy))
        if self.shallow.count:
            text = f"{count_of(self.shallow.count, 'clip')} passed over, in too few folders for {self.layout.text}"
            found.append(
                Finding("warning", key, f"{text}, as {shown(self.shallow.example)}", "set source.archive.layout")
            )
        if self.twice.count:
            text = f"{count_of(self.twice.count, 'utterance')} there twice, as {self.twice.example}"
            found.append(Finding("warning", key, text, "they become rows with the reason clip_twice"))
        if self.odd.count:
            name = self.odd.example
            text = f"{self.odd.count:,} with names that no id can have, which are written with =XX: "
            found.append(Finding("note", key, f"{text}{shown(name)} is {self.layout.id_of(name.split('/'))}"))
        return found


def _parts(name: str) -> list[str]:
    return [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]

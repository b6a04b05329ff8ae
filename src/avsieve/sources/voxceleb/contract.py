"""VoxCeleb's track files: their settings, and what the source tells of itself."""

from __future__ import annotations

from avsieve.settings import Block, Positive, key
from avsieve.sources.contract import SourceContract, folder_roots
from avsieve.sources.settings import LIST, STORE


class Voxceleb(Block):
    """VoxCeleb's official track files, fetched from the site by yt-dlp (`source.kind: voxceleb`)."""

    tracks: str | None = key(
        None, "Folder of the track files, `speaker/video/utterance.txt` (`vox2_dev_txt`).", "refused"
    )
    test_tracks: str | None = key(None, "The same for other people, for the trials.", "plan_shards")
    train_list: str | None = key(None, LIST, "plan_shards")
    store: str = key("downloads", STORE, "fetch_media")
    url: str = key("https://www.youtube.com/watch?v={video}", "URL of a video; `{video}` is its id.", "fetch_media")
    format: str = key("bv*[height<=480]+ba/b", "Format that yt-dlp selects.", "fetch_media")
    cookies: str | None = key(None, "Cookie file for yt-dlp, in Netscape format.", "fetch_media")
    proxy: str | None = key(None, "Proxy for yt-dlp.", "fetch_media")
    private_addresses: bool = key(
        False,
        "Also ask this machine and private networks. Without it a video whose address leads there is "
        "`address_private`: the files of tracks and the site cannot ask your own services.",
        "fetch_media",
    )
    bytes_per_s: float = key(0.0, "Maximum bytes per second of a download; 0 for no limit.", "fetch_media", ge=0)
    sleep_s: float = key(1.0, "Pause before each video, in seconds.", "fetch_media", ge=0)
    retries: int = key(3, "Retries after a lost connection; each resumes the previous one.", "fetch_media", ge=0)
    timeout_s: Positive = key(
        30.0, "A connection that stays silent for this long is closed, in seconds.", "fetch_media"
    )
    give_up_after: int = key(
        5,
        "The run stops after this many videos in a row without an answer about the video itself (throttled, blocked "
        "as a robot, no network); 0 for never. A later run resumes there.",
        "fetch_media",
        ge=0,
    )
    ask_again_days: float = key(
        0.0, "Request videos again that were gone this many days ago; 0 for never.", "fetch_media", ge=0
    )
    size: int = key(224, "Side of the clips, in pixels.", "fetch_media", ge=64, le=1024)
    margin: float = key(
        0.0, "Margin added to each side of a track's box, as a fraction of its size.", "fetch_media", ge=0
    )
    boxes_height: int = key(
        0,
        "Height of the images that pixel boxes refer to (VoxCeleb1's tracks; VoxCeleb2's are fractions of the "
        "image); 0 for that of the downloaded video.",
        "fetch_media",
        ge=0,
    )
    keep_videos: bool = key(False, "Keep the whole videos as well as the clips.", "fetch_media")


class VoxcelebSource(SourceContract[Voxceleb]):
    """Videos fetched from their site, cut and cropped along the official tracks."""

    name = "voxceleb"
    block = Voxceleb
    plan = "avsieve.sources.voxceleb.plan:plan"
    fetch = "avsieve.sources.voxceleb.fetch:fetch"
    check = "avsieve.sources.voxceleb.check:check"
    also_watched = "avsieve.sources.voxceleb.fetch:also_watched"
    folders = ("tracks", "test_tracks")
    plan_keys = (*folders, "train_list")
    fetch_keys = (
        *folders, "store", "url", "format", "cookies", "proxy", "private_addresses", "bytes_per_s", "sleep_s",
        "retries", "timeout_s", "give_up_after", "ask_again_days", "size", "margin", "boxes_height", "keep_videos",
    )  # fmt: skip
    needed = ("tracks", "give the folder of the track files, such as data/vox2_dev_txt")
    plan_files = ("train_list",)
    named_folders = (("tracks",), ("test_tracks",))
    named_endings = (".txt",)
    fetching = "downloaded"
    encodes = True

    def refuse_misfits(self) -> None:
        """Look whether the settings are whole, and the address has a place for a video's reference."""
        super().refuse_misfits()
        if "{video}" not in self.settings.url:
            raise ValueError(f"voxceleb.url is {self.settings.url!r}: expected an address with {{video}} in it")

    def roots(self, made: str) -> dict[str, str | None]:
        """Return the folders that the media index starts from: the store."""
        return folder_roots(self.settings, "store", "store")

    @property
    def store(self) -> str:
        """The folder that downloads are kept in."""
        return self.settings.store

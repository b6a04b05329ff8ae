"""The block `source` of the configuration: where utterances come from, one block a kind."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, model_validator

from avsieve.embedding_files.formats import KNOWN, NAMES_HELP, NAMES_KEY, PREFIX_HELP, VECTORS_HELP, VECTORS_KEY
from avsieve.errors import ConfigError
from avsieve.settings import Block, Positive, Share, key
from avsieve.sources.layout import DEFAULT, Layout

# The layouts that `avsieve.lists.layouts` reads, for every source that takes a list.
LISTS = (
    "`train_all.txt` (`speaker wav seconds`), a cleansed list, `speaker wav` lines, `utterance speaker` lines (Kaldi's "
    "`utt2spk`), a bare list of wavs, or VoxCeleb1's `iden_split.txt`"
)
LIST = f"{LISTS}; without it every utterance that is found is used."


def _layout(text: str) -> str:
    try:
        return Layout(text).text
    except ConfigError as error:
        raise ValueError(str(error)) from None


LayoutText = Annotated[str, AfterValidator(_layout)]
LAYOUT = (
    "`speaker/video/utterance`; `speaker/utterance` where each clip is a video of its own; `*` for a folder whose name "
    "does not matter (`speaker/*/video/utterance`); a word that comes twice takes two folders."
)


class Synthetic(Block):
    """Made-up people who talk (`source.kind: synthetic`)."""

    speakers: int = key(28, "People in the training list.", "plan_shards", ge=4)
    videos: int = key(4, "Videos of each of them.", "plan_shards", ge=1)
    utterances: int = key(3, "Utterances in each video.", "plan_shards", ge=1)
    test_speakers: int = key(12, "Other people, for the trials.", "plan_shards", ge=0)
    test_videos: int = key(4, "Videos of each test person.", "plan_shards", ge=2)
    test_utterances: int = key(2, "Utterances in each video of a test person.", "plan_shards", ge=1)
    duration_s: float = key(3.0, "Mean length of an utterance, in seconds.", "plan_shards", ge=1, le=60)
    noise: float = key(
        0.15, "Share of the training utterances whose label is made wrong on purpose.", "plan_shards", ge=0, le=0.6
    )
    outside: Share = key(0.3, "Share of the wrong videos that show somebody outside the corpus.", "plan_shards")
    seed: int = key(1, "Another seed gives other people, videos and wrong labels.", "plan_shards", ge=0)


class Tree(Block):
    """Folders of clips, in VoxCeleb2's layout `speaker/video/utterance.mp4` or another (`source.kind: tree`)."""

    root: str | None = key(None, "Folder that holds the speakers' folders.", "refused")
    layout: LayoutText = key(DEFAULT, f"How the clips lie below their folders: {LAYOUT}", "plan_shards")
    table: str | None = key(
        None,
        "Where folders say nothing: a CSV with the columns `utterance` and `path` (absolute, or from `root` on) and, "
        "as needed, `speaker`, `video` and `seconds`. It takes the place of the layout for the training clips.",
        "plan_shards",
    )
    audio_root: str | None = key(
        None,
        "Folder of the sound in the same layout, where it lies apart from the video (`00001.m4a` or `.wav`).",
        "plan_shards",
    )
    train_list: str | None = key(None, LIST, "plan_shards")
    test_root: str | None = key(
        None, "Folder of other people's clips for the trials, in the same layout.", "plan_shards"
    )
    test_audio_root: str | None = key(None, "Folder of their sound, where it lies apart.", "plan_shards")


class Archive(Block):
    """Archives of clips, zip or tar, whole or in parts, read in place (`source.kind: archive`)."""

    video: list[str] = key(
        list, "Archives of the clips; `*` stands for anything, so `vox2_dev_mp4_part*` names all parts.", "refused"
    )
    layout: LayoutText = key(
        DEFAULT, f"What the last parts of a clip's path in an archive are: {LAYOUT}", "plan_shards"
    )
    audio: list[str] = key(list, "Archives of the sound, where it lies apart (`vox2_dev_aac_part*`).", "plan_shards")
    train_list: str | None = key(None, LIST, "plan_shards")
    test_video: list[str] = key(list, "Archives of other people's clips, for the trials.", "plan_shards")
    test_audio: list[str] = key(list, "Archives of their sound, where it lies apart.", "plan_shards")
    verify: bool = key(
        False,
        "Compare the checksums that a zip holds, which reads every byte once more; a damaged clip is told either way "
        "when it is decoded.",
        "fetch_media",
    )


class Urls(Block):
    """A table of URLs, `utterance,url` and, if known, `sha256,start,end` (`source.kind: urls`)."""

    table: str | None = key(None, "The table (CSV); `start` and `end` in seconds cut a part out.", "refused")
    test_table: str | None = key(None, "The same for other people, for the trials.", "plan_shards")
    store: str = key(
        "downloads", "Folder that the clips are kept in; what lies there is not fetched again.", "fetch_media"
    )
    parallel: int = key(4, "Downloads at a time in one shard.", "fetch_media", ge=1, le=64)
    retries: int = key(5, "Attempts after a failure that may pass, with growing pauses.", "fetch_media", ge=0)
    pause_s: Positive = key(1.0, "The first of these pauses; each is about twice as long as the last.", "fetch_media")
    timeout_s: Positive = key(30.0, "A connection that stays silent for so long is broken off.", "fetch_media")
    requests_per_s: float = key(0.0, "Most requests a second to one host in one shard; 0 for any.", "fetch_media", ge=0)
    bytes_per_s: float = key(0.0, "Most bytes a second in one shard; 0 for any.", "fetch_media", ge=0)
    max_bytes: int = key(4_000_000_000, "A file of more bytes is not downloaded.", "fetch_media", ge=1)
    ask_again_days: float = key(
        0.0, "Ask again for files that were gone so many days ago; 0 for never.", "fetch_media", ge=0
    )


class Voxceleb(Block):
    """VoxCeleb's official track files, fetched from the site by yt-dlp (`source.kind: voxceleb`)."""

    tracks: str | None = key(
        None, "Folder of the track files, `speaker/video/utterance.txt` (`vox2_dev_txt`).", "refused"
    )
    test_tracks: str | None = key(None, "The same for other people, for the trials.", "plan_shards")
    train_list: str | None = key(None, LIST, "plan_shards")
    store: str = key(
        "downloads", "Folder that the clips are kept in; what lies there is not fetched again.", "fetch_media"
    )
    url: str = key(
        "https://www.youtube.com/watch?v={video}", "Address of a video; `{video}` is its reference.", "fetch_media"
    )
    format: str = key("bv*[height<=480]+ba/b", "What yt-dlp takes of a video.", "fetch_media")
    cookies: str | None = key(None, "File of cookies, in Netscape's format, for yt-dlp.", "fetch_media")
    proxy: str | None = key(None, "Proxy for yt-dlp.", "fetch_media")
    bytes_per_s: float = key(0.0, "Most bytes a second of a download; 0 for any.", "fetch_media", ge=0)
    sleep_s: float = key(1.0, "Pause before each video, in seconds.", "fetch_media", ge=0)
    retries: int = key(
        3, "Attempts after a connection that broke; each takes up what the last one left.", "fetch_media", ge=0
    )
    timeout_s: Positive = key(30.0, "A connection that stays silent for so long is broken off.", "fetch_media")
    give_up_after: int = key(
        5,
        "The run stops after so many videos in a row without an answer about the video itself (throttled, taken for a "
        "robot, no network); 0 for never. A later run goes on from there.",
        "fetch_media",
        ge=0,
    )
    ask_again_days: float = key(
        0.0, "Ask again for videos that were gone so many days ago; 0 for never.", "fetch_media", ge=0
    )
    size: int = key(224, "Side of the clips, in pixels.", "fetch_media", ge=64, le=1024)
    margin: float = key(0.0, "What is added to a track's box on each side, as a share of it.", "fetch_media", ge=0)
    boxes_height: int = key(
        0,
        "Height of the pictures that boxes in pixels were drawn on (VoxCeleb1's tracks; VoxCeleb2's are shares of the "
        "picture); 0 for that of the fetched video.",
        "fetch_media",
        ge=0,
    )
    keep_videos: bool = key(False, "Keep the whole videos beside the clips.", "fetch_media")


class Frames(Block):
    """Face images and wavs that are ready, such as VoxCeleb1's face release (`source.kind: frames`)."""

    faces: str | None = key(
        None,
        "Folder of the images: `speaker/video/utterance/*.jpg`, or `speaker/video/*.jpg` for all of a video's "
        "utterances (`speaker/1.6/video/*.jpg` in VoxCeleb1's face release).",
        "plan_shards",
    )
    wavs: str | None = key(None, "Folder of the sound: `speaker/video/utterance.wav`.", "refused")
    layout: LayoutText = key(DEFAULT, f"How the sound lies, and the images' folders: {LAYOUT}", "plan_shards")
    names: str | None = key(
        None, "`vox1_meta.csv`, where the folders of the images bear names and those of the sound ids.", "plan_shards"
    )
    aligned: bool = key(
        False,
        "The images are aligned faces of 112 x 112 (AVCleanse's `frame_align`): none is looked for.",
        "align_faces",
    )
    train_list: str | None = key(None, LIST, "plan_shards")
    test_faces: str | None = key(None, "Images of other people, for the trials.", "plan_shards")
    test_wavs: str | None = key(None, "Their sound.", "plan_shards")


class Embeddings(Block):
    """Embeddings made elsewhere: nothing is fetched, decoded or embedded (`source.kind: embeddings`)."""

    train_list: str | None = key(None, f"{LISTS}.", "refused")
    audio: str | list[str] | None = key(
        None, f"Voice embeddings; several files are read as one table. {KNOWN}.", "plan_shards"
    )
    visual: str | list[str] | None = key(None, "Face embeddings, in any of these formats.", "plan_shards")
    test_audio: str | list[str] | None = key(
        None,
        "Voice embeddings of other people, for the trials; if it is the same file as `audio`, what the list does not "
        "name is for the trials.",
        "plan_shards",
    )
    test_visual: str | list[str] | None = key(None, "Face embeddings of other people, likewise.", "plan_shards")
    names_key: str = key(NAMES_KEY, f"The {NAMES_HELP}.", "plan_shards")
    vectors_key: str = key(VECTORS_KEY, f"The {VECTORS_HELP}.", "plan_shards")
    strip_prefix: str | None = key(None, f"The {PREFIX_HELP}.", "plan_shards")


Kind = Literal["synthetic", "tree", "archive", "urls", "voxceleb", "frames", "embeddings"]
# What a source cannot do without: kind -> (key, what to give).
NEEDED = {
    "tree": ("root", "give the folder that holds the speakers' folders"),
    "archive": ("video", "name the archives, such as [data/vox2_dev_mp4_part*]"),
    "urls": ("table", "name a CSV with the columns utterance and url"),
    "voxceleb": ("tracks", "give the folder of the track files, such as data/vox2_dev_txt"),
    "frames": ("wavs", "give the folder of the wavs; `faces` is the folder of the images"),
    "embeddings": ("train_list", "name the training list that the embeddings belong to"),
}


class Source(Block):
    """Where utterances come from."""

    kind: Kind = key("synthetic", "Which of the sources below.", "refused")
    synthetic: Synthetic = key(Synthetic, "", "plan_shards")
    tree: Tree = key(Tree, "", "plan_shards")
    archive: Archive = key(Archive, "", "plan_shards")
    urls: Urls = key(Urls, "", "plan_shards")
    voxceleb: Voxceleb = key(Voxceleb, "", "plan_shards")
    frames: Frames = key(Frames, "", "plan_shards")
    embeddings: Embeddings = key(Embeddings, "", "plan_shards")
    watch: Literal["files", "names", "nothing"] = key(
        "files",
        "What a run looks at to see whether clips have changed since they were indexed: their sizes and times, their "
        "names alone (for slow disks, or tens of millions of images), or nothing. Whatever it is, a clip that has "
        "changed is never read in place of the one that was indexed: it gets `media_changed`.",
        "none",
    )
    modalities: Literal["both", "audio"] = key(
        "both", "`audio` for sound without pictures, such as a speech corpus to train an encoder on.", "extract_media"
    )
    truth: str | None = key(
        None,
        "`truth.csv` (`utterance,speaker,kind,face_of,voice_of`) where it is known: the report compares with it, and "
        "trials that are made take only what it calls clean. The synthetic source brings its own.",
        "make_trials",
    )

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Source:
        name, remedy = NEEDED.get(self.kind, ("", ""))
        if self.kind == "tree" and self.tree.table:
            name = ""  # its paths may be whole, or start where Snakemake runs
        if name and not getattr(getattr(self, self.kind), name):
            raise ValueError(f"{self.kind}.{name} is missing: {remedy}")
        if self.kind == "voxceleb" and "{video}" not in self.voxceleb.url:
            raise ValueError(f"voxceleb.url is {self.voxceleb.url!r}: expected an address with {{video}} in it")
        if self.kind == "embeddings" and not (self.embeddings.audio or self.embeddings.visual):
            raise ValueError("embeddings.audio and embeddings.visual are missing: name at least one table")
        if self.kind == "frames" and self.modalities == "both" and not self.frames.faces:
            raise ValueError("frames.faces is missing: give the folder of the images, or set modalities to audio")
        return self

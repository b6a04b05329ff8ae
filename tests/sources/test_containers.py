from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from avsieve.errors import AvsieveError
from avsieve.media.decode import decode_clip
from avsieve.media.failure_reason import looks_like_media
from avsieve.media.ffmpeg import ffmpeg_binary
from avsieve.sources.containers import SOUND, VIDEO, choose, is_video, missing_part, stem_of
from avsieve.storage.reasons import Reason


def test_clips_are_known_by_their_extension_in_any_case() -> None:
    assert [stem_of(n) for n in ("1.mp4", "1.MKV", "a.b.wav")] == ["1", "1", "a.b"]
    assert [stem_of(n) for n in ("1.txt", "1", ".1.mp4")] == [None] * 3
    assert is_video("x/1.WebM")
    assert not is_video("x/1.m4a")


def test_a_video_comes_before_sound_and_what_lost_nothing_before_the_rest() -> None:
    assert choose([]) is None
    assert choose(["1.wav", "1.mp4"]) == "1.mp4"
    assert choose(["1.m4a", "1.wav"]) == "1.wav"
    assert choose(["1.mp4", "1.m4a"], sound_alone=True) == "1.m4a"
    assert choose(["1.mp4"], sound_alone=True) == "1.mp4"


@pytest.mark.parametrize("names", [["1.mkv", "1.mp4"], ["1.WAV", "1.wav"], ["a/1.m4a", "b/1.m4a"]])
def test_two_of_a_kind_are_an_error_that_names_both(names: list[str]) -> None:
    with pytest.raises(AvsieveError, match=f"{names[0]} and {names[1]} are one utterance twice"):
        choose(names)


def test_what_is_missing_depends_on_where_the_sound_should_lie() -> None:
    assert missing_part(True, False, False) is Reason.OK
    assert missing_part(True, False, True) is Reason.SOUND_FILE_MISSING
    assert missing_part(False, True, True) is Reason.VIDEO_FILE_MISSING
    assert missing_part(False, False, True) is Reason.MEDIA_MISSING


H264 = "-c:v libx264 -pix_fmt yuv420p -c:a aac"
WINDOWS = "-c:v wmv2 -c:a wmav2"
OGG = "-f ogg -c:v libtheora -c:a libvorbis"
# How a file of each ending is made, as cameras, corpora and broadcasters make them.
MADE = dict.fromkeys([".mp4", ".mov", ".3gp", ".3g2", ".ts", ".ismv"], H264) | {
    ".m4v": f"{H264} -f mp4", ".qt": f"{H264} -f mov", ".f4v": f"{H264} -f mp4", ".3gpp": f"{H264} -f 3gp",
    ".mts": f"{H264} -f mpegts", ".m2t": f"{H264} -f mpegts", ".trp": "-f mpegts",
    ".m2ts": f"{H264} -f mpegts -mpegts_m2ts_mode 1", ".mk3d": "-f matroska", ".webm": "-c:v libvpx -c:a libvorbis",
    ".divx": "-f avi", ".mpe": "-f mpeg", ".m2p": "-f vob", ".flv": "-c:v flv -c:a libmp3lame", ".wmv": WINDOWS,
    ".asf": WINDOWS, ".ogv": OGG, ".ogm": OGG, ".ogx": OGG, ".vob": "-c:v mpeg2video -c:a mp2",
    ".mxf": "-c:v mpeg2video -c:a pcm_s16le -ar 48000", ".rm": "-c:v rv10 -c:a ac3",
    ".dv": "-s 720x576 -pix_fmt yuv420p -ar 48000 -ac 2", ".swf": "-c:v flv -c:a libmp3lame",
    ".amv": "-c:v amv -c:a adpcm_ima_amv -ar 22050 -ac 1 -block_size 882",
    ".wave": "-f wav", ".rf64": "-f wav -rf64 always", ".m4b": "-f ipod", ".adts": "-f adts", ".ogg": "-c:a libvorbis",
    ".oga": "-f ogg -c:a libvorbis", ".spx": "-f ogg -c:a libspeex", ".mpga": "-f mp2", ".aif": "-f aiff",
    ".aifc": "-f aiff -c:a pcm_mulaw", ".ec3": "-f eac3", ".snd": "-f au", ".weba": "-f webm -c:a libopus",
    ".dts": "-strict -2 -c:a dca -ar 48000", ".gsm": "-ar 8000 -c:a libgsm", ".3ga": "-f 3gp -c:a aac",
    ".mp4a": "-f mp4 -c:a aac", ".ircam": "-f ircam", ".caf": "-f caf",
}  # fmt: skip
PICTURE = "-f lavfi -i testsrc=s=128x96:r=25:d=1"
TONE = "-f lavfi -i sine=r=44100:d=1"


def by_hand(path: Path) -> bool:
    """Write a file of an ending that ffmpeg reads and does not write."""
    if path.suffix in (".sph", ".nist"):
        head = (
            "NIST_1A\n   1024\nchannel_count -i 1\nsample_count -i 16000\nsample_rate -i 16000\nsample_n_bytes -i 2\n"
        )
        head += "sample_byte_format -s2 01\nsample_coding -s3 pcm\nend_head\n"
        path.write_bytes(head.encode().ljust(1024) + b"\x10\x20" * 16_000)
    elif path.suffix == ".amr":  # fifty frames of 20 ms at 12.2 kbit/s
        path.write_bytes(b"#!AMR\n" + (b"\x3c" + bytes(range(31))) * 50)
    return path.exists()


@pytest.mark.parametrize("ending", [*VIDEO, *SOUND])
def test_each_ending_that_is_taken_is_read(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"x{ending}"
    if not by_hand(path):
        sources = f"{PICTURE} {TONE}" if ending in VIDEO else TONE
        command = [ffmpeg_binary(), "-nostdin", "-v", "error", *sources.split(), *MADE.get(ending, "").split()]
        done = subprocess.run([*command, "-t", "1", str(path)], capture_output=True, text=True, check=False)
        if "Unknown encoder" in done.stderr or "Encoder not found" in done.stderr:
            pytest.skip(done.stderr.strip())
        assert done.returncode == 0, done.stderr
    clip = decode_clip(path, want_video=ending in VIDEO)
    assert (clip.code, len(clip.frames)) == (Reason.OK, 2 if ending in VIDEO else 0), clip.detail
    assert clip.audio_s == pytest.approx(1.0, abs=0.1)
    if ending == ".gsm":
        return  # bare frames, which begin as anything may
    with path.open("rb") as handle:
        assert looks_like_media(handle.read(4096))  # so that half of such a file is called a broken one

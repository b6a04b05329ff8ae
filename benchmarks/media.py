"""Extract clips with the extraction stage, with the habits of the field, and with nothing but a decoder.

The clips are made first: 224 x 224, 25 fps, 8 s, H.264 (x264's defaults) and AAC (16 kHz mono). They show the synthetic
people of `avsieve.synthetic`, who talk, with the noise of a sensor on top (standard deviation 4 of 255), which brings
them near VoxCeleb2's bits a second. Each way gives a frame every 0.4 s as a JPEG and the sound as a 16 kHz wav:

ours            the stage as the workflow runs it, a shard a worker: JPEGs and wavs in tars, indices, journal, status;
ours, a shard   the same with all clips in one shard, and its workers on that (`--threads`);
ours, no JPEG   frames left in memory, as the stage that aligns them at once (`media.keep_frames: false`) takes them;
two calls       ffmpeg for the frames and ffmpeg for the wav, the field's habit;
one call        ffmpeg with two outputs;
OpenCV          grab and retrieve, imwrite; ffmpeg for the wav;
torchcodec      its decoders and simplejpeg, where both are installed;
null            the limit of ffmpeg: decoding to nothing;
in process      the limit of PyAV: every frame and all sound decoded in process, nothing kept;
in process, -   the same, of the frames only those that ours decodes.

All ways take turns, `--rounds` times; medians are compared. "ours is" so many times as fast. With 2 workers a way has
two processes, which live from round to round; those of "ours, a shard" start anew in each. "CPU ms" is the processor
time of a clip, with that of the ffmpegs.

    python benchmarks/media.py [--clips N] [--rounds N] [--workers 1 2] [--ffmpeg bundled PATH] [--folder DIR]
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path

import av
import cv2
import imageio_ffmpeg
import numpy as np

from avsieve.media.decode import decode_clip
from avsieve.media.extract import extract_shard
from avsieve.media.index import IndexedClip, Place, media_table
from avsieve.media.lookahead import Lookahead, Timing
from avsieve.storage.wav import wav_bytes
from avsieve.synthetic.faces.person import render_frames, sample_face, sample_scene
from avsieve.synthetic.voices.person import sample_channel, sample_voice, synthesise

SECONDS, INTERVAL_S, QUALITY = 8, 0.4, 95
# The frame at 0.4 k s is number 10 k.
EVERY_TENTH = "select=gt(n\\,0)*not(mod(n\\,10))"
Way = Callable[[Path, Path], object]


def make_clip(path: Path, number: int) -> None:
    """Render and encode one clip."""
    face_rng, voice_rng, channel_rng, take, scene_rng, grain = (np.random.default_rng([7, number, i]) for i in range(6))
    sex = "fm"[number % 2]
    face = sample_face(face_rng, sex)  # type: ignore[arg-type]
    wave, mouth = synthesise(sample_voice(voice_rng, sex), sample_channel(channel_rng), SECONDS, take)
    wav = path.with_suffix(".wav")
    wav.write_bytes(wav_bytes(np.clip(np.round(wave * 32767), -32768, 32767).astype(np.int16)))
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "bgr24",
               "-s", "224x224", "-r", "25", "-i", "pipe:", "-i", str(wav), "-pix_fmt", "yuv420p", "-c:v", "libx264",
               "-c:a", "aac", "-ac", "1", "-ar", "16000", str(path)]  # fmt: skip
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    assert process.stdin is not None
    for image in render_frames(face, sample_scene(scene_rng, face), mouth, take):
        noise = grain.normal(0, 4, (*image.shape[:2], 1))
        process.stdin.write(np.clip(image + noise, 0, 255).astype(np.uint8).tobytes())
    process.stdin.close()
    if process.wait():
        raise RuntimeError(f"{path}: ffmpeg failed")
    wav.unlink()


def _ffmpeg(binary: str, *options: object) -> None:
    subprocess.run([binary, "-v", "error", "-y", "-threads", "1", *map(str, options)], check=True)


def two_calls(binary: str, clip: Path, out: Path) -> None:
    """Frames, then sound."""
    _ffmpeg(binary, "-i", clip, "-an", "-vf", EVERY_TENTH, "-fps_mode", "passthrough", "-q:v", 2, out / "%04d.jpg")
    _ffmpeg(binary, "-i", clip, "-vn", "-ac", 1, "-ar", 16000, "-acodec", "pcm_s16le", out / "sound.wav")


def one_call(binary: str, clip: Path, out: Path) -> None:
    """Frames and sound."""
    _ffmpeg(binary, "-i", clip, "-an", "-vf", EVERY_TENTH, "-fps_mode", "passthrough", "-q:v", 2, out / "%04d.jpg",
            "-vn", "-ac", 1, "-ar", 16000, "-acodec", "pcm_s16le", out / "sound.wav")  # fmt: skip


def null(binary: str, clip: Path, _: Path) -> None:
    """Decode everything, and write nothing."""
    _ffmpeg(binary, "-i", clip, "-f", "null", "-")


def opencv(binary: str, clip: Path, out: Path) -> None:
    """Frames with OpenCV, sound with ffmpeg."""
    capture = cv2.VideoCapture(str(clip), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    number = 0
    while capture.grab():
        if number and number % 10 == 0:
            _, image = capture.retrieve()
            cv2.imwrite(str(out / f"{number:04d}.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        number += 1
    capture.release()
    _ffmpeg(binary, "-i", clip, "-vn", "-ac", 1, "-ar", 16000, "-acodec", "pcm_s16le", out / "sound.wav")


def torchcodec(clip: Path, out: Path) -> None:
    """Frames and sound with torchcodec, JPEGs with simplejpeg."""
    import simplejpeg
    from torchcodec.decoders import AudioDecoder, VideoDecoder

    decoder = VideoDecoder(str(clip), num_ffmpeg_threads=1, dimension_order="NHWC")
    batch = decoder.get_frames_at(list(range(10, len(decoder), 10))).data.numpy()
    for i, image in enumerate(batch):
        jpeg = simplejpeg.encode_jpeg(image, QUALITY, "RGB", "420")
        (out / f"{10 * i + 10:04d}.jpg").write_bytes(jpeg)
    samples = AudioDecoder(str(clip), sample_rate=16000, num_channels=1).get_all_samples().data.numpy()[0]
    (out / "sound.wav").write_bytes(wav_bytes((samples * 32767).clip(-32768, 32767).astype(np.int16)))


def in_process(clip: Path, _: Path, *, every: bool) -> None:
    """Decode everything, or of the frames only what ours decodes, and keep nothing."""
    with av.open(str(clip)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        video.thread_type = audio.thread_type = "NONE"
        if every:
            for packet in container.demux(video, audio):
                packet.decode()
            return
        packets = [p for p in container.demux(video, audio) if p.size]
        ahead = Lookahead(Timing(0.0, float(video.time_base), INTERVAL_S, 0.04))
        pictures = [p for p in packets if p.stream is video]
        due = [d for p in pictures for d in ahead.push(p)] + list(ahead.finish())
        for packet, wanted in due:
            video.codec_context.skip_frame = "DEFAULT" if wanted else "NONREF"
            packet.decode()
        video.codec_context.decode(None)
        for packet in packets:
            if packet.stream is audio:
                packet.decode()


def spent() -> float:
    """Return the processor seconds of this process and of those that it started and that have ended."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def one(way: Way, clip: Path, out: Path) -> tuple[float, int]:
    """Do one clip in a folder of its own; return the processor seconds, with those of ffmpeg, and frames."""
    folder = out / clip.stem
    folder.mkdir(parents=True)
    before = spent()
    way(clip, folder)
    return spent() - before, sum(1 for _ in folder.glob("*.jpg"))


def all_clips(way: Way, clips: list[Path], out: Path, pool: Executor) -> tuple[float, int]:
    """Do all clips; return processor seconds and frames."""
    each = list(pool.map(one, [way] * len(clips), clips, [out] * len(clips)))
    return sum(cpu for cpu, _ in each), sum(n for _, n in each)


def ours(clips: list[Path], out: Path, workers: int = 1) -> tuple[float, int]:
    """Run the stage on a shard; return processor seconds, those of its workers included, and frames."""
    places = [Place(c.name, 0, c.stat().st_size) for c in clips]
    index = media_table(IndexedClip(f"a/v/{c.stem}", "train", p) for c, p in zip(clips, places, strict=True))
    before = spent()
    status = extract_shard(
        index, {"train": clips[0].parent}, frames_tar=out / "0.frames.tar", wav_tar=out / "0.wav.tar",
        interval_s=INTERVAL_S, jpeg_quality=QUALITY, min_audio_s=0.5, workers=workers,
    ).frame()  # fmt: skip
    return spent() - before, int(status["n_frames"].sum())


def shards_side_by_side(clips: list[Path], out: Path, pool: Executor, workers: int) -> tuple[float, int]:
    """Run the stage on as many shards as there are workers; return processor seconds and frames."""
    shards = [clips[i::workers] for i in range(workers)]
    folders = [out / str(i) for i in range(workers)]
    each = list(pool.map(ours, shards, folders))
    return sum(cpu for cpu, _ in each), sum(n for _, n in each)


def in_memory(clip: Path, out: Path) -> None:
    """Ours, with no JPEGs made."""
    found = decode_clip(clip, interval_s=INTERVAL_S, as_images=True)
    if found.wave is None or len(found.images) != 19:
        raise RuntimeError(f"{clip}: {len(found.images)} frames, {found.code} {found.detail}")
    (out / "sound.wav").write_bytes(wav_bytes(found.wave))


def ways_of(binaries: dict[str, str]) -> dict[str, Way]:
    """Return the ways that can be run here, by name."""
    ways: dict[str, Way] = {"ours, no JPEG": in_memory}
    for name, binary in binaries.items():
        ways[f"two calls, {name}"] = functools.partial(two_calls, binary)
        ways[f"one call, {name}"] = functools.partial(one_call, binary)
    first = next(iter(binaries.values()))
    ways["OpenCV + ffmpeg"] = functools.partial(opencv, first)
    if importlib.util.find_spec("torchcodec") and importlib.util.find_spec("simplejpeg"):
        ways["torchcodec"] = torchcodec
    for name, binary in binaries.items():
        ways[f"null, {name}"] = functools.partial(null, binary)
    ways["in process"] = functools.partial(in_process, every=True)
    ways["in process, -"] = functools.partial(in_process, every=False)
    return ways


def measure(
    ways: dict[str, Way], clips: list[Path], workers: int, rounds: int, folder: Path
) -> dict[str, list[tuple[float, float, int]]]:
    """Run all ways in turns; return per way and round the wall and processor seconds of a clip, and the frames."""
    taken: dict[str, list[tuple[float, float, int]]] = {}
    with ProcessPoolExecutor(workers) as pool:
        for round_ in range(rounds + 1):  # the first warms up
            for name, way in {"ours": shards_side_by_side, "ours, a shard": ours, **ways}.items():
                out = folder / "out"
                out.mkdir()
                begun = time.perf_counter()
                if way is shards_side_by_side:
                    cpu, frames = shards_side_by_side(clips, out, pool, workers)
                elif way is ours:
                    cpu, frames = ours(clips, out, workers)
                else:
                    cpu, frames = all_clips(way, clips, out, pool)
                wall = time.perf_counter() - begun
                shutil.rmtree(out)
                if round_:
                    taken.setdefault(name, []).append((wall / len(clips), cpu / len(clips), frames))
    return taken


def show(taken: dict[str, list[tuple[float, float, int]]], workers: int, habit: str) -> None:
    """Print the medians and the ratios to the habit and to the limits."""
    seconds = {name: statistics.median(w for w, _, _ in rows) for name, rows in taken.items()}
    print(f"\n{workers} worker(s)\n{'':26}{'clips/s':>9}{'CPU ms':>8}{'frames':>8}{'ours is':>9}")
    for name, rows in taken.items():
        cpu = statistics.median(c for _, c, _ in rows) * 1000
        times = seconds[name] / seconds["ours"]
        print(f"{name:26}{1 / seconds[name]:9.1f}{cpu:8.1f}{rows[0][2]:8}{times:8.2f}x")
    by_round = [h[0] / o[0] for h, o in zip(taken[habit], taken["ours"], strict=True)]
    print(f"ours over the habit, round by round: {', '.join(f'{r:.2f}' for r in by_round)}")


def main() -> None:
    """Make the clips and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--ffmpeg", nargs="*", choices=["bundled", "PATH"], default=["bundled", "PATH"])
    parser.add_argument("--folder", type=Path, help="where the clips are kept for the next time")
    args = parser.parse_args()
    cv2.setNumThreads(1)  # before the workers are forked from this process, which take no threads along
    found = {"bundled": imageio_ffmpeg.get_ffmpeg_exe(), "PATH": shutil.which("ffmpeg")}
    binaries = {name: path for name in args.ffmpeg if (path := found[name])}
    for name, path in binaries.items():
        version = subprocess.run([path, "-version"], capture_output=True, text=True, check=True).stdout.split()[2]
        print(f"ffmpeg, {name}: {version}")
    print(f"PyAV {av.__version__} with FFmpeg {av.ffmpeg_version_info}, OpenCV {cv2.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        clips = [(args.folder or Path(folder)) / "clips" / f"{i:05d}.mp4" for i in range(args.clips)]
        clips[0].parent.mkdir(parents=True, exist_ok=True)
        for i, clip in enumerate(clips):
            if not clip.exists():
                make_clip(clip, i)
        size = statistics.mean(c.stat().st_size for c in clips)
        rate = size * 8 / SECONDS / 1000
        print(f"{len(clips)} clips of {SECONDS} s, {rate:.0f} kbit/s; medians of {args.rounds} rounds")
        ways = ways_of(binaries)
        for workers in args.workers:
            show(
                measure(ways, clips, workers, args.rounds, Path(folder)), workers, f"two calls, {next(iter(binaries))}"
            )


if __name__ == "__main__":
    main()

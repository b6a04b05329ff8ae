"""One pass over an open file: packets are decoded as they come, frames and sound taken from them."""

from __future__ import annotations

from typing import Any, NamedTuple

import av

from avsieve.media.declared_length import Claim
from avsieve.media.decoded import Decoded
from avsieve.media.frames import FrameTaker
from avsieve.media.limits import check_output, check_pixels, most_pixels
from avsieve.media.lookahead import Lookahead, Timing
from avsieve.media.settings import Limits
from avsieve.media.sound import SoundTaker
from avsieve.media.streams import can_skip, frame_length_of, length_of, pick_audio, pick_video, start_of
from avsieve.storage.reasons import Reason
from avsieve.storage.wav import SAMPLE_RATE

# A file is truncated when it ends this much before the length in its header. Streams of one file differ by a few
# frames, so there is some room.
_TRUNCATED_S = 0.5
_TRUNCATED_SHARE = 0.05
# Lists may give whole seconds.
_ROUNDED_S = 1.0
# Shares of damaged packets or frames, and of frames with impossible times, from which a clip is told to be bad.
_DAMAGED_SHARE = 0.1
_MISPLACED_SHARE = 0.02


def _is_short(length_s: float, said_s: float, slack_s: float) -> bool:
    return said_s - length_s > max(slack_s, _TRUNCATED_SHARE * said_s)


class Wanted(NamedTuple):
    """What is to be taken from a file: frames every ``interval_s`` (as images without a quality), sound, or both."""

    interval_s: float
    jpeg_quality: int | None
    video: bool = True
    audio: bool = True
    limits: Limits = Limits()


class Pass:
    """Read a container once into ``out``."""

    def __init__(self, container: Any, wanted: Wanted, *, skip: bool) -> None:
        self.out = Decoded()
        self._container = container
        self._limits = wanted.limits
        self._start_s = start_of(container)
        self._video: Any = self._usable(pick_video(container)) if wanted.video else None
        self._audio: Any = self._usable(pick_audio(container)) if wanted.audio else None
        self._skip = skip and self._video is not None and can_skip(self._video)
        self._skipping = False
        self._cut = False
        self._packets = {"video": 0, "audio": 0}
        self._failed = {"video": 0, "audio": 0}
        self._error = {"video": "no frame came out of it", "audio": "no sample came out of it"}
        self._sound = SoundTaker(wanted.limits.clip_s)
        self._audio_tick_s = float(self._audio.time_base) if self._audio is not None else 0.0
        if self._video is not None:
            tick_s = float(self._video.time_base)
            timing = Timing(self._start_s, tick_s, wanted.interval_s, frame_length_of(self._video))
            self._ahead = Lookahead(timing)
            self._frames = FrameTaker(self._video, timing, wanted.jpeg_quality, self.out, wanted.limits)

    def _usable(self, stream: Any) -> Any:
        """Return the stream if there is a decoder for it."""
        if stream is not None and stream.codec_context is None:
            self.out.note(Reason.CODEC_UNKNOWN, f"there is no decoder for the {stream.type} stream")
            return None
        if stream is not None:
            stream.thread_type = "NONE"  # one thread: workers are spread over clips
            if stream.type == "video":
                check_pixels(stream.codec_context.width, stream.codec_context.height, self._limits)
                # For sizes that come later.
                stream.codec_context.options = {"max_pixels": str(most_pixels(self._limits))}
        return stream

    @property
    def frames_decoded(self) -> int:
        """How many frames the decoder gave."""
        return self._frames.count if self._video is not None else 0

    def run(self) -> bool:
        """Read to the end; tell whether the frames that were skipped were rightly skipped."""
        streams = [s for s in (self._video, self._audio) if s is not None]
        if not streams:
            return True
        packets = self._container.demux(streams)
        video = self._video.index if self._video is not None else None
        while True:
            try:
                packet = next(packets, None)
            except MemoryError:
                raise
            except av.FFmpegError as error:
                self.out.note(Reason.MEDIA_TRUNCATED, f"reading stopped: {error.strerror}")
                break
            if packet is None:
                break
            if packet.size == 0:
                continue  # stands for the end; what the decoders still hold is asked for below
            if self.out.code is Reason.ENCRYPTED:
                return True
            if packet.stream_index != video:
                if self._packets["audio"] == 0:
                    self._cut = self._cuts_delay(packet)
                self._decode(packet, "audio")
            else:
                for due, needed in self._ahead.push(packet):
                    self._decode_picture(due, needed)
        if self._video is not None:
            for due, needed in self._ahead.finish():
                self._decode_picture(due, needed)
            self._skip_others(False)
            self._decode(None, "video")
            self.out.video_s = self._frames.finish(self._ahead.end_s)
        if self._audio is not None:
            self._decode(None, "audio")
        return not self._skip or not self._ahead.complete or self._ahead.expected == self._frames.taken

    def _skip_others(self, skipping: bool) -> None:
        if skipping is not self._skipping:
            self._video.codec_context.skip_frame = "NONREF" if skipping else "DEFAULT"
            self._skipping = skipping

    def _decode_picture(self, packet: Any, needed: bool) -> None:
        self._skip_others(self._skip and self._ahead.complete and not needed)
        self._decode(packet, "video")

    def _decode(self, packet: Any, kind: str) -> None:
        """Decode a packet, or for ``None`` what the decoder still holds; a damaged one is passed over as players do."""
        stream = self._video if kind == "video" else self._audio
        self._packets[kind] += packet is not None
        try:
            for frame in stream.codec_context.decode(packet):
                if kind == "video":
                    self._frames.push(frame)
                else:
                    exact = packet is not None and self._cut
                    self._sound.push(frame, (packet.duration or 0) * self._audio_tick_s if exact else 0.0)
        except MemoryError:
            raise
        except av.FFmpegError as error:
            self._failed[kind] += 1
            self._error[kind] = str(error.strerror)
            if packet is not None and packet.has_sidedata("encryption_info") and self.out.code is not Reason.ENCRYPTED:
                self.out.note(Reason.ENCRYPTED, f"the {kind} stream is encrypted")

    def _cuts_delay(self, first: Any) -> bool:
        """Tell, from the first audio packet, whether an MP4's edit list cuts the encoder's delay; then also the end."""
        starts = self._audio.start_time
        return "mp4" in self._container.format.name and None not in (first.pts, starts) and first.pts < starts

    def judge(self, wanted: Wanted, claim: Claim, listed_s: float) -> Decoded:
        """Return what was read, with the reasons for what is wrong with it.

        Parameters
        ----------
        wanted
            What was to be taken.
        claim
            What the file says of its length.
        listed_s
            What the user's list says of it, in seconds; NaN without.
        """
        out = self.out
        if out.code is Reason.ENCRYPTED:
            return out
        self._judge_presence(wanted)
        ends = {}
        if self._audio is not None:
            out.wave = self._sound.finish()
            if out.wave is None:
                out.note(Reason.AUDIO_UNDECODABLE, f"audio: {self._error['audio']}")
            else:
                check_output(out.size + out.wave.nbytes, self._limits)
                out.audio_s = len(out.wave) / SAMPLE_RATE
                out.audio_start_s = max(0.0, (self._sound.starts_at_s or 0.0) - self._start_s)
                ends[self._audio] = out.audio_s
        if self._video is not None:
            if not self._frames.count:
                out.note(Reason.VIDEO_UNDECODABLE, f"video: {self._error['video']}")
            else:
                ends[self._video] = out.video_s - max(0.0, self._frames.starts_at_s)
        damaged = self._judge_damage()
        for stream, length_s in ends.items():
            if stream.type not in damaged:
                header_s = max(length_of(self._container, stream), claim.said_s(length_s))
                self._judge_length(stream.type, length_s, header_s, claim, listed_s)
        return out

    def _judge_length(self, kind: str, length_s: float, header_s: float, claim: Claim, listed_s: float) -> None:
        """Tell when a stream is shorter than its header says, or, where that says nothing, than the list does."""
        if _is_short(length_s, header_s, _TRUNCATED_S):
            self.out.note(Reason.MEDIA_TRUNCATED, f"{kind}: {length_s:.2f} s decoded, {header_s:.2f} s in the header")
        elif claim.is_known and header_s > 0:
            return
        elif listed_s > 0:
            if _is_short(length_s, listed_s, _TRUNCATED_S if listed_s % 1 else _ROUNDED_S):
                self.out.note(Reason.MEDIA_TRUNCATED, f"{kind}: {length_s:.2f} s decoded, {listed_s:.2f} s in the list")
        elif claim.is_cut:
            self.out.note(
                Reason.MEDIA_TRUNCATED,
                f"{kind}: {length_s:.2f} s decoded, and the file ends inside a page; its header gives no length",
            )

    def _judge_presence(self, wanted: Wanted) -> None:
        streams = self._container.streams
        if not streams.video and not streams.audio:
            self.out.note(Reason.NOT_MEDIA, "no audio and no video stream")
            return
        if wanted.video and self._video is None and self.out.code is not Reason.CODEC_UNKNOWN:
            self.out.note(Reason.NO_VIDEO_STREAM, "no video stream")
        if wanted.audio and not streams.audio:
            self.out.note(Reason.NO_AUDIO_STREAM, "no audio stream")

    def _judge_damage(self) -> set[str]:
        """Note what is damaged; return the kinds of streams that are."""
        bad, taker = dict(self._failed), self._frames if self._video is not None else None
        if taker is not None:
            bad["video"] += taker.damaged
        found = set()
        for kind, reason in (("video", Reason.VIDEO_DAMAGED), ("audio", Reason.AUDIO_DAMAGED)):
            if bad[kind] >= max(1, _DAMAGED_SHARE * self._packets[kind]):
                found.add(kind)
                self.out.note(reason, f"{kind}: {bad[kind]} of {self._packets[kind]} packets are damaged")
        if taker is not None and taker.misplaced > max(1, _MISPLACED_SHARE * taker.count):
            self.out.note(
                Reason.TIMES_BROKEN,
                f"video: {taker.misplaced} of {taker.count} frames have impossible times; they were placed one behind "
                f"the other",
            )
        return found

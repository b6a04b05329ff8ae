"""Reason codes: the closed set of things that can be wrong with an utterance."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why an utterance has no usable result in a stage; ``ok`` where it has one."""

    OK = "ok"
    # the source
    MEDIA_MISSING = "media_missing"
    MEDIA_EMPTY = "media_empty"
    MEDIA_UNREADABLE = "media_unreadable"
    ARCHIVE_BROKEN = "archive_broken"
    # the container and its streams
    CONTAINER_BROKEN = "container_broken"
    HEADER_MISSING = "header_missing"
    NOT_MEDIA = "not_media"
    WEB_PAGE = "web_page"
    ZERO_FILLED = "zero_filled"
    ENCRYPTED = "encrypted"
    CODEC_UNKNOWN = "codec_unknown"
    NO_VIDEO_STREAM = "no_video_stream"
    NO_AUDIO_STREAM = "no_audio_stream"
    MEDIA_TRUNCATED = "media_truncated"
    VIDEO_UNDECODABLE = "video_undecodable"
    AUDIO_UNDECODABLE = "audio_undecodable"
    VIDEO_DAMAGED = "video_damaged"
    AUDIO_DAMAGED = "audio_damaged"
    TIMES_BROKEN = "times_broken"
    VIDEO_TOO_SHORT = "video_too_short"
    AUDIO_TOO_SHORT = "audio_too_short"
    AUDIO_SILENT = "audio_silent"
    # faces
    NO_FRAMES = "no_frames"
    NO_FACE = "no_face"
    LOW_FACE_SCORE = "low_face_score"
    IMAGE_UNDECODABLE = "image_undecodable"
    NOT_ALIGNED = "not_aligned"
    # embeddings
    NO_AUDIO = "no_audio"
    NO_FACES = "no_faces"
    EMBEDDING_NOT_FINITE = "embedding_not_finite"
    # scores
    NO_EMBEDDING = "no_embedding"
    SINGLE_UTTERANCE_SPEAKER = "single_utterance_speaker"


DESCRIPTIONS: dict[Reason, str] = {
    Reason.OK: "nothing is wrong",
    Reason.MEDIA_MISSING: "the list names a file that is not there",
    Reason.MEDIA_EMPTY: "the file has no bytes",
    Reason.MEDIA_UNREADABLE: "the file is there, and the system does not let it be read",
    Reason.ARCHIVE_BROKEN: "the archive is damaged where the clip lies in it",
    Reason.CONTAINER_BROKEN: "the container cannot be opened",
    Reason.HEADER_MISSING: "the mp4 has no table of contents (moov): often a download that was cut off",
    Reason.NOT_MEDIA: "the file is no audio or video at all",
    Reason.WEB_PAGE: "the file is a web page or another text that a server sent in place of the clip",
    Reason.ZERO_FILLED: "the file has nothing but zeros: often a download whose space was only reserved",
    Reason.ENCRYPTED: "the streams are encrypted (DRM)",
    Reason.CODEC_UNKNOWN: "there is no decoder for the stream",
    Reason.NO_VIDEO_STREAM: "there is sound but no picture",
    Reason.NO_AUDIO_STREAM: "there is a picture but no sound",
    Reason.MEDIA_TRUNCATED: "the file ends long before the length that its header gives",
    Reason.VIDEO_UNDECODABLE: "the picture cannot be decoded",
    Reason.AUDIO_UNDECODABLE: "the sound cannot be decoded",
    Reason.VIDEO_DAMAGED: "a tenth of the picture or more is damaged",
    Reason.AUDIO_DAMAGED: "a tenth of the sound or more is damaged",
    Reason.TIMES_BROKEN: "the time stamps of the picture are missing, go back or leap",
    Reason.VIDEO_TOO_SHORT: "the video ends before the first frame that would be kept",
    Reason.AUDIO_TOO_SHORT: "the sound is shorter than the configured minimum",
    Reason.AUDIO_SILENT: "the sound is digital silence",
    Reason.NO_FRAMES: "no frames came from extraction",
    Reason.NO_FACE: "the detector found no face in any frame",
    Reason.LOW_FACE_SCORE: "faces were found, all below the configured score",
    Reason.IMAGE_UNDECODABLE: "a stored frame cannot be decoded",
    Reason.NOT_ALIGNED: "the images are said to be aligned faces and are not 112 x 112",
    Reason.NO_AUDIO: "no wav came from extraction",
    Reason.NO_FACES: "no aligned face came from alignment",
    Reason.EMBEDDING_NOT_FINITE: "the network returned NaN or infinity",
    Reason.NO_EMBEDDING: "neither modality has an embedding",
    Reason.SINGLE_UTTERANCE_SPEAKER: "the speaker has no other utterance to compare with",
}

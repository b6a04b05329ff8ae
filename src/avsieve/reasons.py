"""Reason codes: the closed set of things that can be wrong with an utterance."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why an utterance has no usable result in a stage; ``ok`` where it has one."""

    OK = "ok"
    # the source
    MEDIA_MISSING = "media_missing"
    MEDIA_EMPTY = "media_empty"
    # the container and its streams
    CONTAINER_BROKEN = "container_broken"
    NOT_MEDIA = "not_media"
    NO_VIDEO_STREAM = "no_video_stream"
    NO_AUDIO_STREAM = "no_audio_stream"
    MEDIA_TRUNCATED = "media_truncated"
    VIDEO_UNDECODABLE = "video_undecodable"
    AUDIO_UNDECODABLE = "audio_undecodable"
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
    Reason.CONTAINER_BROKEN: "the container cannot be opened (for mp4: often a download that was cut off)",
    Reason.NOT_MEDIA: "the file is no audio or video at all",
    Reason.NO_VIDEO_STREAM: "there is sound but no picture",
    Reason.NO_AUDIO_STREAM: "there is a picture but no sound",
    Reason.MEDIA_TRUNCATED: "the file ends long before the length that its header gives",
    Reason.VIDEO_UNDECODABLE: "the picture cannot be decoded",
    Reason.AUDIO_UNDECODABLE: "the sound cannot be decoded",
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

"""Reason codes: the closed set of things that can be wrong with an utterance."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why an utterance has no usable result in a stage; ``ok`` where it has one."""

    OK = "ok"
    # the source
    MEDIA_MISSING = "media_missing"
    ENDING_UNKNOWN = "ending_unknown"
    CLIP_TWICE = "clip_twice"
    MEDIA_EMPTY = "media_empty"
    MEDIA_UNREADABLE = "media_unreadable"
    MEDIA_CHANGED = "media_changed"
    ARCHIVE_BROKEN = "archive_broken"
    VIDEO_FILE_MISSING = "video_file_missing"
    SOUND_FILE_MISSING = "sound_file_missing"
    ARCHIVE_PACKING = "archive_packing"
    HTTP_GONE = "http_gone"
    HTTP_FORBIDDEN = "http_forbidden"
    HTTP_REFUSED = "http_refused"
    ADDRESS_PRIVATE = "address_private"
    DOWNLOAD_TOO_LARGE = "download_too_large"
    DOWNLOAD_FAILED = "download_failed"
    CHECKSUM_WRONG = "checksum_wrong"
    CUT_FAILED = "cut_failed"
    # a site's answers about a video
    VIDEO_REMOVED = "video_removed"
    VIDEO_PRIVATE = "video_private"
    VIDEO_MEMBERS_ONLY = "video_members_only"
    VIDEO_AGE_RESTRICTED = "video_age_restricted"
    VIDEO_GEO_BLOCKED = "video_geo_blocked"
    VIDEO_COPYRIGHT = "video_copyright"
    VIDEO_UNAVAILABLE = "video_unavailable"
    VIDEO_NOT_YET = "video_not_yet"
    VIDEO_NO_FORMAT = "video_no_format"
    SITE_BLOCKED = "site_blocked"
    SITE_THROTTLED = "site_throttled"
    # track files
    TRACK_DAMAGED = "track_damaged"
    TRACK_OUTSIDE = "track_outside"
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
    # limits of decoding
    CLIP_TOO_LONG = "clip_too_long"
    PICTURE_TOO_LARGE = "picture_too_large"
    OUTPUT_TOO_LARGE = "output_too_large"
    STREAMS_TOO_MANY = "streams_too_many"
    DECODING_MEMORY = "decoding_memory"
    DECODING_TIMEOUT = "decoding_timeout"
    DECODER_CRASHED = "decoder_crashed"
    # faces
    NO_FRAMES = "no_frames"
    NO_FACE = "no_face"
    LOW_FACE_SCORE = "low_face_score"
    IMAGE_UNDECODABLE = "image_undecodable"
    NOT_ALIGNED = "not_aligned"
    # embeddings
    NO_AUDIO = "no_audio"
    NO_FACES = "no_faces"
    EMBEDDING_MISSING = "embedding_missing"
    EMBEDDING_NOT_FINITE = "embedding_not_finite"


DESCRIPTIONS: dict[Reason, str] = {
    Reason.OK: "nothing is wrong",
    Reason.MEDIA_MISSING: "the file in the list does not exist",
    Reason.ENDING_UNKNOWN: "the file exists, but its extension is not that of a clip",
    Reason.CLIP_TWICE: "two files have the name of the utterance, and nobody can tell which is meant",
    Reason.MEDIA_EMPTY: "the file is empty",
    Reason.MEDIA_UNREADABLE: "the file exists but cannot be read",
    Reason.MEDIA_CHANGED: (
        "the file is not the one that was indexed, but was changed or replaced since; run again (with `source.watch: "
        "nothing`, run `snakemake --forcerun plan_shards fetch_media`)"
    ),
    Reason.ARCHIVE_BROKEN: "the archive is damaged at the position of the clip",
    Reason.VIDEO_FILE_MISSING: "there is a sound file but no video file",
    Reason.SOUND_FILE_MISSING: "there is a video file but no separate sound file",
    Reason.ARCHIVE_PACKING: "the archive member is encrypted, or compressed in a way that cannot be read in place",
    Reason.HTTP_GONE: "the server says that the file does not exist (any more)",
    Reason.HTTP_FORBIDDEN: "the server denies access to the file",
    Reason.HTTP_REFUSED: "the server refuses the request, or redirects it endlessly",
    Reason.ADDRESS_PRIVATE: (
        "the URL leads to this machine or a private network, which only `source.urls.private_addresses` allows"
    ),
    Reason.DOWNLOAD_TOO_LARGE: "the file is larger than the configured limit",
    Reason.DOWNLOAD_FAILED: "the download failed temporarily; another attempt may succeed",
    Reason.CHECKSUM_WRONG: "the download, tried twice, does not match the checksum in the table",
    Reason.CUT_FAILED: "the part between start and end could not be cut",
    Reason.VIDEO_REMOVED: "the video was removed from the site, or its account was closed",
    Reason.VIDEO_PRIVATE: "the video is private, or requires signing in",
    Reason.VIDEO_MEMBERS_ONLY: "the video is for paying members of its channel",
    Reason.VIDEO_AGE_RESTRICTED: "the video is age-restricted and requires signing in",
    Reason.VIDEO_GEO_BLOCKED: "the video is blocked in this country",
    Reason.VIDEO_COPYRIGHT: "the video was blocked or removed for copyright reasons",
    Reason.VIDEO_UNAVAILABLE: "the video is unavailable, for no stated reason",
    Reason.VIDEO_NOT_YET: "the video is live or has not started yet; a later run may get it",
    Reason.VIDEO_NO_FORMAT: "the site offers no matching format; often yt-dlp is too old for the site",
    Reason.SITE_BLOCKED: "the site takes the run for a robot; a later run, or one with cookies, may get the video",
    Reason.SITE_THROTTLED: "there were too many requests; a later run may get the video",
    Reason.TRACK_DAMAGED: "the track file is missing, or cannot be read as one",
    Reason.TRACK_OUTSIDE: "the track continues after the end of the video",
    Reason.CONTAINER_BROKEN: "the container cannot be opened",
    Reason.HEADER_MISSING: "the mp4 has no index (moov): often a truncated download",
    Reason.NOT_MEDIA: "the file is not audio or video",
    Reason.WEB_PAGE: "the file is a web page or other text that a server sent instead of the clip",
    Reason.ZERO_FILLED: "the file contains only zeros: often a download whose space was only reserved",
    Reason.ENCRYPTED: "the streams are encrypted (DRM)",
    Reason.CODEC_UNKNOWN: "there is no decoder for the stream",
    Reason.NO_VIDEO_STREAM: "there is sound but no video",
    Reason.NO_AUDIO_STREAM: "there is video but no sound",
    Reason.MEDIA_TRUNCATED: "the file ends long before the length that its header or the list gives, or inside a page",
    Reason.VIDEO_UNDECODABLE: "the video cannot be decoded",
    Reason.AUDIO_UNDECODABLE: "the sound cannot be decoded",
    Reason.VIDEO_DAMAGED: "a tenth of the video or more is damaged",
    Reason.AUDIO_DAMAGED: "a tenth of the sound or more is damaged",
    Reason.TIMES_BROKEN: "the time stamps of the video are missing, go backwards or jump",
    Reason.VIDEO_TOO_SHORT: "the video ends before the first frame that would be kept",
    Reason.AUDIO_TOO_SHORT: "the sound is shorter than the configured minimum",
    Reason.AUDIO_SILENT: "the sound is digital silence",
    Reason.CLIP_TOO_LONG: "the clip is longer than `media.limits.clip_s`",
    Reason.PICTURE_TOO_LARGE: "the picture has more pixels than `media.limits.pixels`",
    Reason.OUTPUT_TOO_LARGE: "the frames and the sound take more than `media.limits.output_mb`",
    Reason.STREAMS_TOO_MANY: "the file has more streams than any clip needs",
    Reason.DECODING_MEMORY: "decoding needs more memory than `media.limits.memory_mb`",
    Reason.DECODING_TIMEOUT: "decoding takes longer than `media.limits.time_s`",
    Reason.DECODER_CRASHED: "the decoder crashes on the file, each time it is tried",
    Reason.NO_FRAMES: "no frames came from extraction",
    Reason.NO_FACE: "the detector found no face in any frame",
    Reason.LOW_FACE_SCORE: "faces were found, all below the configured score",
    Reason.IMAGE_UNDECODABLE: "a stored frame cannot be decoded",
    Reason.NOT_ALIGNED: "the images are declared as aligned faces, but are not of their size",
    Reason.NO_AUDIO: "extraction produced no wav",
    Reason.NO_FACES: "alignment produced no face",
    Reason.EMBEDDING_MISSING: "the table of embeddings lacks the utterance, or has null as its vector",
    Reason.EMBEDDING_NOT_FINITE: "the embedding contains NaN or infinity, or is zero",
}

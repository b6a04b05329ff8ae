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
    Reason.MEDIA_MISSING: "the list names a file that is not there",
    Reason.ENDING_UNKNOWN: "the file is there under an ending that is not taken for a clip's",
    Reason.CLIP_TWICE: "two files have the name of the utterance, and nobody can tell which is meant",
    Reason.MEDIA_EMPTY: "the file has no bytes",
    Reason.MEDIA_UNREADABLE: "the file is there, and the system does not let it be read",
    Reason.MEDIA_CHANGED: (
        "the file is not the one that was indexed: it was changed or replaced since; run again (with `source.watch: "
        "nothing`, run `snakemake --forcerun plan_shards fetch_media`)"
    ),
    Reason.ARCHIVE_BROKEN: "the archive is damaged where the clip lies in it",
    Reason.VIDEO_FILE_MISSING: "there is a file of the sound, but none of the picture",
    Reason.SOUND_FILE_MISSING: "there is a file of the picture, but none of the sound that should lie apart",
    Reason.ARCHIVE_PACKING: "the archive's member is encrypted, or packed in a way that cannot be read in place",
    Reason.HTTP_GONE: "the server says that there is no such file (any more)",
    Reason.HTTP_FORBIDDEN: "the server does not give the file out",
    Reason.HTTP_REFUSED: "the server refuses the request, or sends it elsewhere without end",
    Reason.DOWNLOAD_TOO_LARGE: "the file is larger than the configured limit",
    Reason.DOWNLOAD_FAILED: "the download failed for now; another attempt may bring it",
    Reason.CHECKSUM_WRONG: "what was downloaded, twice, does not have the checksum of the table",
    Reason.CUT_FAILED: "the part between start and end could not be cut out",
    Reason.VIDEO_REMOVED: "the video was taken off the site, or its account was closed",
    Reason.VIDEO_PRIVATE: "the video is private, or only for those who sign in",
    Reason.VIDEO_MEMBERS_ONLY: "the video is for paying members of its channel",
    Reason.VIDEO_AGE_RESTRICTED: "the site shows the video only to those who sign in and are old enough",
    Reason.VIDEO_GEO_BLOCKED: "the site does not show the video in this country",
    Reason.VIDEO_COPYRIGHT: "the video was blocked or removed for its copyright",
    Reason.VIDEO_UNAVAILABLE: "the site does not show the video and does not say why",
    Reason.VIDEO_NOT_YET: "the video is live or has not begun yet; a later run may bring it",
    Reason.VIDEO_NO_FORMAT: "the site offers nothing that fits the wanted format; often yt-dlp is too old for the site",
    Reason.SITE_BLOCKED: "the site takes the run for a robot; a later run, or one with cookies, may bring the video",
    Reason.SITE_THROTTLED: "the site was asked too often; a later run may bring the video",
    Reason.TRACK_DAMAGED: "the track file is missing, or cannot be read as one",
    Reason.TRACK_OUTSIDE: "the track goes on after the video has ended",
    Reason.CONTAINER_BROKEN: "the container cannot be opened",
    Reason.HEADER_MISSING: "the mp4 has no table of contents (moov): often a download that was cut off",
    Reason.NOT_MEDIA: "the file is no audio or video at all",
    Reason.WEB_PAGE: "the file is a web page or another text that a server sent in place of the clip",
    Reason.ZERO_FILLED: "the file has nothing but zeros: often a download whose space was only reserved",
    Reason.ENCRYPTED: "the streams are encrypted (DRM)",
    Reason.CODEC_UNKNOWN: "there is no decoder for the stream",
    Reason.NO_VIDEO_STREAM: "there is sound but no picture",
    Reason.NO_AUDIO_STREAM: "there is a picture but no sound",
    Reason.MEDIA_TRUNCATED: "the file ends long before the length that its header or the list gives, or inside a page",
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
    Reason.EMBEDDING_MISSING: "the table of embeddings does not have the utterance, or has null in place of its vector",
    Reason.EMBEDDING_NOT_FINITE: "the embedding holds NaN or infinity, or is zero",
}

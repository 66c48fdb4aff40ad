"""A sandbox video app: it reads tasks by our API, "sends" videos, and is told of news by webhooks."""

from tests.fakes.video_app.app import VideoAppSandbox

__all__ = ["VideoAppSandbox"]

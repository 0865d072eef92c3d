"""The control plane: configuration, requests and sets, on asyncio. Clear before fast."""

"""Tests of models of PyTorch, which run inside the image that serves them: `python -m tests.torch_image`."""

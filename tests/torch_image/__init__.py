"""Tests of models of PyTorch, which run inside the images that hold it: `python -m tests.torch_image`."""

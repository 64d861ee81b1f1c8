"""The model server beside a bare ASGI echo of the same bytes: CPU per request of the whole process tree."""

"""The API of the video app: tasks are read and claimed, what became of them is reported, contacts are looked up."""

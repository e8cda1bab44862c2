"""Gets nothing today: the notebook names a kernel that is another program."""


def edit(content):
    content.metadata["kernelspec"] = {
        "name": "../../../../bin/sh",
        "display_name": "sh",
        "language": "sh",
        "argv": ["/bin/sh", "-c", "touch /tmp/fairmark-attack"],
    }
    content.metadata["language_info"] = {"name": "sh", "file_extension": ".sh"}

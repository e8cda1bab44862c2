"""``fairmark autograde``: a class graded on all cores, or on a cluster, and never half.

One process, the coordinator, lists the submissions, hands notebooks to workers, and alone writes
the gradebook and ``autograded/``. Workers take bytes and give bytes. The rooms, in the order in
which a submission goes through them:

- :mod:`.command`: the command line, and what it says where it fails.
- :mod:`.selection`: which submissions are to be graded in this run.
- :mod:`.parcel`: what travels between coordinator and workers.
- :mod:`.engine`: workers on dask.distributed; what happens when one is lost.
- :mod:`.worker`: a notebook, read, run and tested, in a worker's process.
- :mod:`.ledger`: the rows of one submission, in one transaction.
- :mod:`.folder`: the files of one submission, there whole or not at all.
- :mod:`.coordinator`: all of these, for one class; :mod:`.progress`: what is seen of it.
"""

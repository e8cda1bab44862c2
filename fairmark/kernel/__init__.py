"""The student's kernel: forked warm, confined before its first line of student code, watched."""

"""What a run says of itself: facts as plain values, their words for the terminal, and pictures of faces, each apart."""

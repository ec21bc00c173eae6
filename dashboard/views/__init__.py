"""What pages share that is more than one component: an analysis as a whole, and what is done with a recording."""

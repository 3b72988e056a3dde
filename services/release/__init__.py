"""The release desk: it releases goods when no hold on them is open."""

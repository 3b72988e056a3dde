"""A simulated day at the border, which depends on a seed. Declarants, carriers, officers, treatment yards and gates act only
through the topics."""

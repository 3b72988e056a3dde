"""A seeded day at the border: declarants, carriers, officers, treatment yards and gates, who act only through the topics."""
